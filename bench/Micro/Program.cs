using BenchmarkDotNet.Running;
using GrayMQ.Micro;
using GrayMQ.Micro.Filtering;

if (args is ["filters", .. string[] rest])
{
    FilterReport.Run(rest);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(CommandBenchmarks).Assembly).Run(args);
}
