using System.Globalization;
using V2 = GrayMQ.Grpc.V2;

namespace GrayMQ.Load;

/// <summary>Clients that have told their settings on a telemetry stream, each over a connection of its own, and then do nothing.</summary>
internal static class GrpcIdle
{
    private const int AtOnce = 64;

    public static async Task RunAsync(LoadOptions options, int count, CancellationToken cancel)
    {
        int process = options.ProcessId ?? throw new InvalidOperationException("the broker's process is not to be seen");
        var open = new List<IDisposable>();
        try
        {
            // What the first client brings about is not the others' cost.
            open.Add(await OpenAsync(options, 0, cancel));
            long before = ProcessUsage.Read(process).AnonymousBytes;
            for (int from = 1; from <= count; from += AtOnce)
            {
                open.AddRange(await Task.WhenAll(
                    Enumerable.Range(from, Math.Min(AtOnce, count - from + 1)).Select(index => OpenAsync(options, index, cancel))));
            }

            long after = ProcessUsage.Read(process).AnonymousBytes;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{count} clients: {(after - before) / 1e6:F0} MB of anonymous memory, {(after - before) / 1024.0 / count:F1} KiB each"));
        }
        finally
        {
            open.ForEach(client => client.Dispose());
        }
    }

    private static async Task<IDisposable> OpenAsync(LoadOptions options, int index, CancellationToken cancel)
    {
        var channel = new GrpcChannel(options, string.Create(CultureInfo.InvariantCulture, $"load-idle-{index}"));
        await channel.TellAsync(
            new V2.Settings
            {
                ClientType = V2.ClientType.Producer,
                Publishing = new V2.Publishing { Topics = { new V2.Resource { Name = options.Topic } } },
            },
            cancel);
        return channel;
    }
}
