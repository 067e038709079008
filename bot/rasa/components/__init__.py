"""What Rasa's graph loads: the act classifier, and the action webhook made quick."""
