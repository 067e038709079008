"""Words to sound: the synthesiser and the cache of rendered sentences."""
