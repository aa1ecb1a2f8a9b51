"""Commands that only tests have.

They show what the frame promises to every command.
"""
