"""The spine of Diptych: contracts below the stages, the command line above them."""
