using System.Collections.Concurrent;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using GrayMQ.Remoting.Clients;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.KeyValue;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Gray;

/// <summary>
/// Follows the gray state of the name servers: asks each of them now and then, and at once when one says that it has changed; tells them of
/// progress while a release is open. A name server that does not know, or is away, changes nothing: the broker goes on with what it has.
/// </summary>
internal sealed class GrayFollower : IAsyncDisposable
{
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(3);

    private readonly GrayOptions _options;
    private readonly GrayWork _work;
    private readonly RemotingClient _client;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly ConcurrentDictionary<string, bool> _doNotKnow = new(StringComparer.Ordinal);
    private Task _following = Task.CompletedTask;

    public GrayFollower(GrayOptions options, GrayWork work, RemotingClient client, TimeProvider time, ILogger<GrayFollower> logger)
    {
        _options = options;
        _work = work;
        _client = client;
        _time = time;
        _logger = logger;
    }

    /// <summary>Asks once, then goes on in the background.</summary>
    public async Task StartAsync()
    {
        if (_options.NameServers.Count > 0)
        {
            await AskAsync().ConfigureAwait(false);
            _following = FollowAsync(_stopping.Token);
        }
    }

    public async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(false);
    }

    /// <summary>GRAY_STATE_CHANGED (30102): a name server has come to another version.</summary>
    public ValueTask ChangedAsync(RemotingRequest request, GrayVersionHeader header)
    {
        if (header.Epoch is { } epoch && new GrayVersion(epoch, header.Version).Supersedes(_work.Acting.Version))
        {
            Wake();
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        _news.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Wake()
    {
        if (_news.CurrentCount == 0)
        {
            _news.Release();
        }
    }

    private async Task FollowAsync(CancellationToken cancel)
    {
        using ITimer ask = _time.CreateTimer(_ => Wake(), null, _options.AskInterval, _options.AskInterval);
        using ITimer report = _time.CreateTimer(
            _ => WakeToReport(), null, _options.ReportInterval, _options.ReportInterval);
        try
        {
            while (true)
            {
                await _news.WaitAsync(cancel).ConfigureAwait(false);
                try
                {
                    if (await ReportAsync().ConfigureAwait(false))
                    {
                        await AskAsync().ConfigureAwait(false);
                        await ReportAsync().ConfigureAwait(false);
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    Log.GrayFollowingFailed(_logger, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private void WakeToReport()
    {
        if (_work.Acting.Releases.Any(release => release.IsOpen))
        {
            Wake();
        }
    }

    private async Task AskAsync()
    {
        GrayVersion acting = _work.Acting.Version;
        GraySnapshot?[] snapshots = await Task.WhenAll(_options.NameServers.Select(address => AskAsync(address, acting)))
            .ConfigureAwait(false);
        GraySnapshot[] told = [.. snapshots.OfType<GraySnapshot>()];

        // One that is of the epoch acted on goes before one of another: name servers with a database each do not drive the broker to and fro.
        GraySnapshot? newest = told.Where(snapshot => snapshot.Version.Epoch == acting.Epoch).MaxBy(snapshot => snapshot.Version.Version)
            ?? told.FirstOrDefault();
        if (newest is not null && newest.Version.Supersedes(acting))
        {
            try
            {
                _work.Follow(newest);
            }
            catch (KeyValueStoreException e)
            {
                Log.GrayStateNotTaken(_logger, e, newest.Version.ToString());
            }
        }
    }

    private async Task<GraySnapshot?> AskAsync(string address, GrayVersion acting)
    {
        try
        {
            var header = new GetGrayStateHeader
            {
                Epoch = acting.IsNone ? null : acting.Epoch,
                Version = acting.IsNone ? GetGrayStateHeader.NoVersion : acting.Version,
                Watch = true,
                BrokerName = _options.BrokerName,
            };
            RemotingCommand reply = await _client
                .InvokeAsync(address, RequestCode.GetGrayState, header, default, AskTimeout, _stopping.Token)
                .ConfigureAwait(false);
            if (reply.ResponseCode != ResponseCode.Success)
            {
                // RocketMQ's own name server, or one without a database.
                if (_doNotKnow.TryAdd(address, true))
                {
                    Log.GrayStateRefused(_logger, address, reply.ResponseCode, reply.Remark);
                }

                return null;
            }

            _doNotKnow.TryRemove(address, out _);
            var answer = GetGrayStateResponseHeader.Read(reply.Fields);
            return answer.Answer == GrayStateAnswer.Snapshot
                ? GrayJson.DecodeSnapshot(reply.Body)
                : answer.Answer == GrayStateAnswer.Unchanged ? _work.Acting : null;
        }
        catch (Exception e) when (e is IOException or TimeoutException or GrayFormatException or HeaderFieldException)
        {
            Log.GrayStateNotTold(_logger, address, e.Message);
            return null;
        }
    }

    // True when the broker is to ask: a name server has another version, or nobody answered.
    private async Task<bool> ReportAsync()
    {
        GrayProgress progress = _work.Report();
        byte[] body = GrayJson.Encode(progress);
        bool[] asks = await Task.WhenAll(_options.NameServers.Select(address => ReportAsync(address, progress, body))).ConfigureAwait(false);
        return asks.Contains(true);
    }

    private async Task<bool> ReportAsync(string address, GrayProgress progress, byte[] body)
    {
        if (_doNotKnow.ContainsKey(address))
        {
            return true;
        }

        try
        {
            RemotingCommand reply = await _client
                .InvokeAsync(
                    address,
                    RequestCode.ReportGrayProgress,
                    new ReportGrayProgressHeader { BrokerName = _options.BrokerName },
                    body,
                    AskTimeout,
                    _stopping.Token)
                .ConfigureAwait(false);
            if (reply.ResponseCode != ResponseCode.Success)
            {
                return true;
            }

            var newest = GrayVersionHeader.Read(reply.Fields);
            return newest.Epoch is { } epoch && new GrayVersion(epoch, newest.Version).Supersedes(progress.Version);
        }
        catch (Exception e) when (e is IOException or TimeoutException or HeaderFieldException)
        {
            Log.GrayStateNotTold(_logger, address, e.Message);
            return true;
        }
    }
}
