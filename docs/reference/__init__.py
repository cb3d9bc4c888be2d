"""What of the documentation is made from the code when the site is built: nothing of it is committed.

``python -m reference FOLDER``, with docs/ on the path, lays all pages out as the site has them; `inv dev.site` does
that and builds it. The pages of docs/ stay as GitHub shows them.
"""
