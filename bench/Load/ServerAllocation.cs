using System.Globalization;

namespace GrayMQ.Load;

/// <summary>What the server's runtime has allocated so far, as its metrics tell.</summary>
internal static class ServerAllocation
{
    private const string Metric = "dotnet_gc_heap_total_allocated_bytes_total";

    private static readonly HttpClient Client = new();

    /// <summary>Bytes; NaN when the server tells none.</summary>
    public static async Task<double> ReadAsync(LoadOptions options, CancellationToken cancel)
    {
        if (options.HttpPort is not int port)
        {
            return double.NaN;
        }

        string metrics = await Client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), cancel);
        string? line = metrics.Split('\n').FirstOrDefault(line => line.StartsWith(Metric, StringComparison.Ordinal));
        return line is null ? double.NaN : double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }
}
