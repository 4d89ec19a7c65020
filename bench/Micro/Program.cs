using BenchmarkDotNet.Running;
using GrayMQ.Micro;

BenchmarkSwitcher.FromAssembly(typeof(CommandBenchmarks).Assembly).Run(args);
