"""How the shipped networks are made: data sets, architectures, training and export."""
