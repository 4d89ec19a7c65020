namespace GrayMQ.Broker.Transactions;

/// <summary>
/// Which transactions somebody is ending or checking, by their roots: until the record that says so has come by, or could not be stored.
/// For one thread at a time.
/// </summary>
internal sealed class HalfClaims
{
    private readonly HashSet<long> _ending = [];
    private readonly HashSet<long> _checking = [];

    public bool IsEnding(long root) => _ending.Contains(root);

    public bool IsFree(long root) => !_ending.Contains(root) && !_checking.Contains(root);

    /// <summary>A check does not keep a transaction from ending.</summary>
    public bool TryBeginEnding(long root) => _ending.Add(root);

    public bool TryBeginChecking(long root) => !_ending.Contains(root) && _checking.Add(root);

    public void StopEnding(long root) => _ending.Remove(root);

    public void StopChecking(long root) => _checking.Remove(root);
}
