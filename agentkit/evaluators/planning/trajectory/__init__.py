"""What is wrong with the steps of an agent: checks by rule, each a pure function of a trace."""
