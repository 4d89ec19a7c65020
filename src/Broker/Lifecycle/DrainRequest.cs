namespace GrayMQ.Broker.Lifecycle;

/// <summary>Somebody wants the broker to leave.</summary>
/// <param name="AskedBy">Who: <c>SIGTERM</c>, an address, <c>status file</c>.</param>
/// <param name="ScaleIn">It does not come back: what it stores has to be consumed first.</param>
/// <param name="Abandon">What is left to be consumed is given up.</param>
/// <param name="Parallel">How many brokers of the cluster may leave at a time, this one included.</param>
/// <param name="IsFinal">The process ends behind it: it cannot be taken back.</param>
internal sealed record DrainRequest(string AskedBy, bool ScaleIn = false, bool Abandon = false, int Parallel = 1, bool IsFinal = false)
{
    /// <summary>What the way of leaving is called outside.</summary>
    public string Mode => ScaleIn ? "scaleIn" : "restart";

    /// <summary>Whether a broker that leaves as <paramref name="other"/> wants it does all that this one wants.</summary>
    public bool IsMetBy(DrainRequest other) => !ScaleIn || (other.ScaleIn && (Abandon || !other.Abandon));
}
