"""What one reader predicted, ran and concluded: kept, sealed, verified and graded."""
