namespace GrayMQ.Broker.Pulling;

/// <summary>A pull that waits, a link in its queue's list; answered on the thread pool when it is woken.</summary>
internal sealed class ParkedPull(Action<ParkedPull> answer) : IThreadPoolWorkItem
{
    /// <summary>The topic's index does not know its expression.</summary>
    public const int NoNumber = -1;

    private Pull _pull;

    /// <summary>The pull; by reference, for those who look at many.</summary>
    public ref Pull Pull => ref _pull;

    /// <summary>Messages had come before it was parked that it has not been held against: it has to read from where it wanted to.</summary>
    public bool IsBehind { get; set; }

    /// <summary>How many messages its queue had skipped before it was parked; see <see cref="ParkedQueue.Skip"/>.</summary>
    public int Skipped { get; set; }

    /// <summary>When it is to be answered at the latest, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long Deadline { get; set; }

    /// <summary>Where it stands among all that wait at its queue.</summary>
    public int Place { get; set; }

    /// <summary>The number by which it is woken, or <see cref="NoNumber"/>.</summary>
    public int Number { get; set; }

    public ParkedPull? Previous { get; set; }

    public ParkedPull? Next { get; set; }

    public void Execute() => answer(this);
}
