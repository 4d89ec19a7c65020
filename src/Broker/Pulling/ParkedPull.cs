namespace GrayMQ.Broker.Pulling;

/// <summary>A pull that waits, a link in its queue's list; answered on the thread pool when it is woken.</summary>
internal sealed class ParkedPull(Action<ParkedPull> answer) : IThreadPoolWorkItem
{
    private Pull _pull;

    /// <summary>The pull; by reference, for those who look at many.</summary>
    public ref Pull Pull => ref _pull;

    /// <summary>Messages had come before it was parked that it has not been held against: it has to read from where it wanted to.</summary>
    public bool IsBehind { get; set; }

    /// <summary>How many messages its queue had skipped before it was parked; see <see cref="ParkedQueue.Skip"/>.</summary>
    public int Skipped { get; set; }

    /// <summary>When it is to be answered at the latest, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long Deadline { get; set; }

    public ParkedPull? Next { get; set; }

    public void Execute() => answer(this);
}
