"""Excel and CSV: templates with drop-downs, messy sheets read, every error by cell, previews, safe exports."""
