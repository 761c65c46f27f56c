"""What could leak from one split into another: proofs before training, and look-alikes to see."""
