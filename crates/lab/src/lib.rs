//! The front door: arena, matrix, demo and exercises.
