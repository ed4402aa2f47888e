"""What the notebooks show: a module for each, of the same name, with its calculators, charts and tables.

A notebook without any has no module. What two of them need stands in a room of its subject or in `widgets/`.
"""

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""The metadata of every notebook."""
