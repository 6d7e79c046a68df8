"""This disk and its pictures: paths, files, inspection, encoding and thumbnails; the home of Pillow."""
