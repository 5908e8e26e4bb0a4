"""Step 4: did tuning help?"""
