"""The search around the kernel: everything clever, nothing trusted.

A poor guess made here can leave a claim unproved; it cannot make a false one true.
"""
