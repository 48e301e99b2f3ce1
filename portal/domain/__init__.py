"""What a clinic does, in the words of the clinic."""
