using GrayMQ.Client.Errors;
using GrayMQ.Client.Routes;
using GrayMQ.Client.Sessions;
using GrayMQ.Gray;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.NameServer;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Client.Gray;

/// <summary>
/// Knows which topics are gray, while the client takes part in gray releases: asks a name server now and then, and at once when that one
/// says that the state has changed. What it does not know costs nothing but a detour: brokers move messages to where they belong.
/// </summary>
internal sealed class GrayStateFollower : IAsyncDisposable
{
    private readonly NameServerList _nameServers;
    private readonly GrayRole _role;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly Pulse _pulse;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _starting = new();
    private GraySnapshot _snapshot = GraySnapshot.Empty;
    private Dictionary<string, GrayQueues> _live = new(StringComparer.Ordinal);
    private Task? _loop;

    public GrayStateFollower(NameServerList nameServers, GrayRole role, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        _nameServers = nameServers;
        _role = role;
        _interval = interval;
        _logger = logger;
        _pulse = new Pulse(time);
        _role.Changed += _pulse.Wake;
    }

    /// <summary>Raised when other queues are gray than before.</summary>
    public event Action? Changed;

    /// <summary>GRAY_STATE_CHANGED (30102): the name server that was asked last has come to another version.</summary>
    public void Tell(GrayVersion version)
    {
        if (version.Supersedes(Volatile.Read(ref _snapshot).Version))
        {
            _pulse.Wake();
        }
    }

    /// <summary>Which queues of a topic are gray; null when none are, or it is not known yet.</summary>
    public GrayQueues? FindLive(string topic)
    {
        if (!_role.IsOn)
        {
            return null;
        }

        Start();
        return Volatile.Read(ref _live).TryGetValue(topic, out GrayQueues queues) ? queues : null;
    }

    public async ValueTask DisposeAsync()
    {
        _role.Changed -= _pulse.Wake;
        Task? loop;
        lock (_starting)
        {
            loop = _loop ??= Task.CompletedTask;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        await loop.ConfigureAwait(false);
        _stopping.Dispose();
    }

    // Begins when it is first needed: most clients never take part.
    private void Start()
    {
        if (Volatile.Read(ref _loop) is null)
        {
            lock (_starting)
            {
                _loop ??= Task.Run(FollowAsync);
            }
        }
    }

    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                if (_role.IsOn)
                {
                    await AskAsync(_stopping.Token).ConfigureAwait(false);
                }

                await _pulse.WaitAsync(_interval, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task AskAsync(CancellationToken cancel)
    {
        GrayVersion known = _snapshot.Version;
        try
        {
            RemotingCommand answer = await _nameServers
                .InvokeAsync(
                    RequestCode.GetGrayState,
                    new GetGrayStateHeader
                    {
                        Epoch = known.IsNone ? null : known.Epoch,
                        Version = known.IsNone ? GetGrayStateHeader.NoVersion : known.Version,
                        Watch = true,
                    },
                    cancel)
                .ConfigureAwait(false);
            if (answer.ResponseCode == ResponseCode.Success
                && GetGrayStateResponseHeader.Read(answer.Fields).Answer == GrayStateAnswer.Snapshot)
            {
                Take(GrayJson.DecodeSnapshot(answer.Body));
            }
        }
        catch (Exception e) when (e is GrayMQException or GrayFormatException or HeaderFieldException)
        {
            Log.GrayStateUnknown(_logger, e.Message);
        }
    }

    private void Take(GraySnapshot snapshot)
    {
        var live = new Dictionary<string, GrayQueues>(StringComparer.Ordinal);
        foreach (GrayTopic topic in snapshot.Topics)
        {
            if (topic.LiveQueues() is { } queues)
            {
                live[topic.Name] = queues;
            }
        }

        Volatile.Write(ref _snapshot, snapshot);
        bool isChanged = live.Count != _live.Count || live.Any(pair => !_live.TryGetValue(pair.Key, out GrayQueues queues) || queues != pair.Value);
        Volatile.Write(ref _live, live);
        if (isChanged)
        {
            Changed?.Invoke();
        }
    }
}
