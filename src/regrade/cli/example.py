"""The rows of the suite that `regrade init` writes."""

__all__ = ["LABELS", "ROWS"]

LABELS = ("billing", "refund", "shipping", "login", "bug", "other")

ROWS = [
    {"id": f"message-{number:02}", "text": text, "label": label}
    for number, (text, label) in enumerate(
        [
            ("My parcel left the depot on Tuesday and is still not here.", "shipping"),
            ("When will I see the money for the lamp that I sent back?", "refund"),
            ("The invoice for May has the wrong company name.", "billing"),
            ("I cannot sign in: the code never arrives.", "login"),
            ("Do you plan to open a shop in Ghent?", "other"),
            ("The courier left my box with a neighbour I do not know.", "shipping"),
            ("Please send the refund to my new card.", "refund"),
            ("I was charged twice for the same order.", "billing"),
            ("My password is refused since this morning.", "login"),
            ("Your newsletter is lovely, thank you.", "other"),
            ("Where is my order? It should have come last week.", "shipping"),
            ("I never got the receipt for March.", "billing"),
            ("The search page shows an error since yesterday.", "bug"),
            ("The app closes by itself when I open my basket.", "bug"),
        ],
        start=1,
    )
]
