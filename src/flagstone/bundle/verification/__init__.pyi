from .verifying import BundleLine as BundleLine, VerifyOptions as VerifyOptions, verify_bundle as verify_bundle
