"""What every section of a page is made of: tables, figures, pictures, words."""
