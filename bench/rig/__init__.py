"""What the engine's benchmarks share: the processes, the stage, the gauges, the floors."""
