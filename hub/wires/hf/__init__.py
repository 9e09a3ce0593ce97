"""The Hub protocol as the stock ``huggingface_hub`` client speaks it."""
