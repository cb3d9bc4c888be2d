"""What of the documentation is made from the code when the site is built: nothing of it is committed.

``python -m reference``, with docs/ on the path, lays all pages out as the site has them, and builds it; `inv dev.site`
does that. The pages of docs/ stay as GitHub shows them.
"""
