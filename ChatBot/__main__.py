"""``python -m ChatBot``: serve, or run one of the admin commands."""

from ChatBot.cli import main

if __name__ == "__main__":
    main()
