"""Pictures from intake to deletion: kept, found, described, shown, counted, taken back."""
