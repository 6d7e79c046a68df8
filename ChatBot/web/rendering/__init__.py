"""What an answer shows: JSON of each noun, the texts of pages, Markdown, addresses of static files."""
