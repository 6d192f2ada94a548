"""Which claims of an answer its documents support, contradict or do not mention."""
