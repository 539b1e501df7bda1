"""The five shapes that a recurrent network can have (row A11), each a small trained model, and what sharing
weights over the steps saves (row A10).
"""
