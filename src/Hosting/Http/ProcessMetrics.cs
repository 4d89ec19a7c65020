using System.Globalization;

namespace GrayMQ.Hosting.Http;

/// <summary>What every server tells of its process.</summary>
public static class ProcessMetrics
{
    public static void Write(PrometheusWriter page)
    {
        page.Counter("process_cpu_seconds_total", "Time that all processors spent").Sample(Environment.CpuUsage.TotalTime.TotalSeconds);
        page.Gauge("process_resident_memory_bytes", "Resident memory, mapped files included").Sample(Environment.WorkingSet);
        page.Gauge("dotnet_gc_committed_bytes", "Managed memory").Sample(GC.GetGCMemoryInfo().TotalCommittedBytes);
        page.Counter("dotnet_gc_heap_total_allocated_bytes_total", "Managed memory allocated since the start")
            .Sample(GC.GetTotalAllocatedBytes());
        page.Counter("dotnet_gc_collections_total", "Garbage collections");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            page.Sample(GC.CollectionCount(generation), ("generation", generation.ToString(CultureInfo.InvariantCulture)));
        }
    }
}
