"""What operators and their programs ask: does it serve, is it ready, how is it doing."""
