"""The hands of the house: background work over the catalog. Imports hub.catalog and storage; nobody imports it."""
