"""The chapters' notebooks: made, run, checked, given pictures, tried as in Colab."""
