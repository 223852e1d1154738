"""Networks as pictures: what is drawn, where it lies on the page, and the files that hold it."""
