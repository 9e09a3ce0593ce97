"""What pages weigh on their way to a browser."""

import gzip

from django.test import Client


def test_pages_and_their_files_are_sent_compressed_to_those_who_take_it(client: Client, db: None) -> None:
    takes = {"Accept-Encoding": "gzip, br"}
    page, plain = client.get("/", headers=takes), client.get("/")
    assert page["Content-Encoding"] == "gzip" and b"Weighhouse" in gzip.decompress(page.content)
    assert "Content-Encoding" not in plain and "Accept-Encoding" in plain["Vary"]
    styles = client.get("/static/weighhouse/weighhouse.css", headers=takes)
    assert styles["Content-Encoding"] == "gzip" and styles["Content-Type"].startswith("text/css")
    assert gzip.decompress(styles.getvalue()) == client.get("/static/weighhouse/weighhouse.css").getvalue()
    for never in ("/static/weighhouse/fonts/house-sans-latin.woff2", "/api/models"):
        assert "Content-Encoding" not in client.get(never, headers=takes)
