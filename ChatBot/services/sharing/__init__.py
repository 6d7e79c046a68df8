"""What others see without an account: share links, their cards, their content as one's own, links to pictures."""
