"""Put a Space on the Hub, with the login of the person who asks for it."""

from pathlib import Path

from trainer.errors import ModelError


def push_space(
    folder: Path,
    name: str,
    token: str | None,
    *,
    private: bool = False,
    endpoint: str | None = None,
) -> str:
    """Make or renew the Space OWNER/NAME from a folder, and return its address.

    Raises `ModelError`.
    """
    from huggingface_hub import HfApi  # noqa: PLC0415 - only where the Hub is meant

    if not token:
        raise ModelError(
            f"'{name}' cannot be pushed: nobody is logged in to the Hub here. Log in with "
            "`hf auth login` (or set HF_TOKEN to a token that may write), and push again."
        )
    api = HfApi(endpoint, token=token)
    try:
        api.create_repo(name, repo_type="space", space_sdk="gradio", private=private, exist_ok=True)
        api.upload_folder(
            folder_path=folder,
            repo_id=name,
            repo_type="space",
            commit_message="A chat model tuned with Tandem",
            delete_patterns="*",  # what an earlier export left
        )
    except Exception as error:  # the Hub's client raises a dozen kinds
        said = str(error).strip().split("\n")[0][:300]
        raise ModelError(
            f"'{name}' could not be pushed to the Hub ({said}). Look whether the name is "
            "OWNER/NAME with an owner you may write for, whether the token may write, and at the "
            "network."
        ) from error
    return f"{api.endpoint}/spaces/{name}"
