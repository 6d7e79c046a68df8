"""What operators, and the worker in their name, do for the stored pictures: prove, restore, clean up, rebuild."""
