"""Agreement: how far readers agree with each other, with themselves and with the machine."""
