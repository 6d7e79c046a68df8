"""What stands around every view: who may enter, how often, what is written down, and how a refusal reads."""
