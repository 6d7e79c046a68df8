"""``python -m ChatBot``: serve, or run one of the admin commands."""

import signal

if __name__ == "__mp_main__":
    # A server process, which imports this file under that name. Ctrl-C reaches it together with the main process; it
    # waits for that one's word instead of dying in the middle of its imports.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

if __name__ == "__main__":
    from ChatBot.cli import main

    main()
