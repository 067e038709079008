"""The actions process: Rasa's webhook, the form, answers from published knowledge."""
