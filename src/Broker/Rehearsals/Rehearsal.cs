using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Transports;
using GrayMQ.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Rehearsals;

/// <summary>
/// Runs the code that serves clients until the runtime has compiled it, before clients come: on a broker of its own in the same process, with
/// a store, statistics and a log of its own, which go away with it. Nothing of it is seen in those of the broker that it is for.
/// </summary>
internal static class Rehearsal
{
    private const string DirectoryPrefix = "rehearsal-";
    private const int Clients = 4;

    // Compiled code belongs to the process: one rehearsal serves all brokers in it.
    private static int _held;

    /// <summary>Completes when it has been held for <paramref name="limit"/>, or <paramref name="enough"/> is cancelled. Never fails.</summary>
    /// <param name="limit">Zero holds none.</param>
    /// <param name="rootDirectory">Where a directory is made for it, and removed again.</param>
    /// <returns>How often each request succeeded; nothing where none was held.</returns>
    public static async Task<IReadOnlyDictionary<RequestCode, long>> HoldAsync(
        TimeSpan limit, string rootDirectory, TimeProvider time, ILogger logger, CancellationToken enough)
    {
        if (limit <= TimeSpan.Zero || Interlocked.Exchange(ref _held, 1) != 0)
        {
            return FrozenDictionary<RequestCode, long>.Empty;
        }

        await Task.Yield();
        long begun = time.GetTimestamp();
        IReadOnlyDictionary<RequestCode, long> requests = FrozenDictionary<RequestCode, long>.Empty;
        try
        {
            string directory = MakeDirectory(rootDirectory);
            try
            {
                using var limited = new CancellationTokenSource(limit, time);
                using var ended = CancellationTokenSource.CreateLinkedTokenSource(limited.Token, enough);
                requests = await PlayAsync(directory, time, ended.Token).ConfigureAwait(false);
            }
            finally
            {
                Directory.Delete(directory, recursive: true);
            }

            Log.Rehearsed(logger, requests.Values.Sum(), (long)time.GetElapsedTime(begun).TotalMilliseconds);
        }
        catch (Exception e)
        {
            // The broker serves without it, a little more slowly at first.
            Log.NotRehearsed(logger, e);
        }

        return requests;
    }

    // One that was left behind by a process that was killed is removed first.
    private static string MakeDirectory(string rootDirectory)
    {
        Directory.CreateDirectory(rootDirectory);
        foreach (string left in Directory.EnumerateDirectories(rootDirectory, DirectoryPrefix + "*"))
        {
            string processId = Path.GetFileName(left)[DirectoryPrefix.Length..];
            if (processId == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
                || !Directory.Exists(Path.Combine("/proc", processId)))
            {
                Directory.Delete(left, recursive: true);
            }
        }

        return Directory.CreateDirectory(
            Path.Combine(rootDirectory, string.Create(CultureInfo.InvariantCulture, $"{DirectoryPrefix}{Environment.ProcessId}")))
            .FullName;
    }

    private static async Task<IReadOnlyDictionary<RequestCode, long>> PlayAsync(string directory, TimeProvider time, CancellationToken ended)
    {
        EffectiveSettings settings = BrokerSettings.Catalogue.Load(new SettingsSources()
            .Set("brokerName=rehearsal")
            .Set("bindAddress=127.0.0.1")
            .Set("brokerIP1=127.0.0.1")
            .Set("grpcPort=0")
            .Set("rehearsalMs=0")
            .Set("warmupMs=0")
            .Set($"storePathRootDir={directory}")
            .Set("mappedFileSizeCommitLog=4194304")
            .Set("mappedFileSizeConsumeQueue=200000")
            .Set("maxHashSlotNum=1000")
            .Set("maxIndexNum=4000")
            .Set("flushDiskType=ASYNC_FLUSH")).GetOrThrow();
        var broker = new BrokerHost(settings, time, NullLoggerFactory.Instance, new AnyPort(time));
        await using (broker.ConfigureAwait(false))
        {
            await broker.StartAsync(CancellationToken.None).ConfigureAwait(false);
            string address = broker.EndPoints[0].ToString();
            IReadOnlyDictionary<RequestCode, long>[] requests = await Task.WhenAll(Enumerable.Range(0, Clients).Select(async id =>
            {
                var client = new RehearsedClient(address, id, time);
                await using (client.ConfigureAwait(false))
                {
                    return await client.PlayAsync(ended).ConfigureAwait(false);
                }
            })).ConfigureAwait(false);
            await broker.StopAsync(CancellationToken.None).ConfigureAwait(false);
            return requests.SelectMany(client => client).GroupBy(count => count.Key).ToDictionary(
                counts => counts.Key, counts => counts.Sum(count => count.Value));
        }
    }

    // On this machine only, and wherever there is room.
    private sealed class AnyPort(TimeProvider time) : IConnectionListenerFactory
    {
        private readonly IConnectionListenerFactory _sockets = SocketTransport.Create(time, NullLoggerFactory.Instance);

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
            _sockets.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), cancellationToken);
    }
}
