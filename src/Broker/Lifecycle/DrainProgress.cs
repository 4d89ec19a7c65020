namespace GrayMQ.Broker.Lifecycle;

/// <summary>How far the broker's leaving has come, and how long it may take. Written by who leads it, read by anybody.</summary>
internal sealed class DrainProgress(LifecycleOptions options, TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    private DrainRequest? _request;
    private volatile string? _waitingFor;
    private long _begunTimestamp;
    private long _toldTimestamp = long.MaxValue;

    /// <summary>What was asked for; null while the broker stays.</summary>
    public DrainRequest? Request
    {
        get => Volatile.Read(ref _request);
        set => Volatile.Write(ref _request, value);
    }

    /// <summary>What is waited for now, in words; null when nothing.</summary>
    public string? WaitingFor
    {
        get => _waitingFor;
        set => _waitingFor = value;
    }

    /// <summary>When producers and name servers were told, as <see cref="TimeProvider.GetTimestamp"/> counts; MaxValue while they are not.</summary>
    public long ToldTimestamp => Volatile.Read(ref _toldTimestamp);

    /// <summary>The time until sends are refused whatever comes; zero while the broker stays.</summary>
    public TimeSpan TimeLeft
    {
        get
        {
            TimeSpan left = Request is null ? TimeSpan.Zero : options.MaxDrain - time.GetElapsedTime(_begunTimestamp);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Whether the process has to end, and has waited for as long as it may.</summary>
    public bool IsOutOfTime => Request is { IsFinal: true } && TimeLeft == TimeSpan.Zero;

    /// <summary>Since when who sends ought to know better, as <see cref="TimeProvider.GetTimestamp"/> counts; MaxValue while nobody ought to.</summary>
    public long OughtToKnowSince => ToldTimestamp == long.MaxValue
        ? long.MaxValue
        : ToldTimestamp + (long)(options.Quiet.TotalSeconds * time.TimestampFrequency);

    public void Begin(DrainRequest request)
    {
        _begunTimestamp = time.GetTimestamp();
        Volatile.Write(ref _toldTimestamp, long.MaxValue);
        Request = request;
    }

    /// <summary>Producers and name servers know that the broker leaves.</summary>
    public void Told() => Volatile.Write(ref _toldTimestamp, time.GetTimestamp());

    /// <summary>Nobody is waited for any more, and nobody ought to know anything; the request stays until the broker is back.</summary>
    public void TakeBack()
    {
        Volatile.Write(ref _toldTimestamp, long.MaxValue);
        WaitingFor = null;
    }

    /// <summary>Until it is looked again.</summary>
    public Task PauseAsync(CancellationToken cancel) => Task.Delay(LookInterval, time, cancel);
}
