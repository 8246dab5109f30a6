"""The OpenAI-compatible server: demo models today; every model behind it is an entry of a catalogue."""
