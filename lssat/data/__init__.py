"""The way of the data: from raw trees to crops, texture codes, splits and their audit."""
