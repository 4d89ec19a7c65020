namespace GrayMQ.Chaos.Rolling;

/// <summary>What a run came to.</summary>
/// <param name="Name">How its servers were stopped.</param>
internal sealed record RollingResult(
    string Name, IReadOnlyList<SendRecord> Sends, IReadOnlyList<GroupRecord> Groups, Timeline Timeline)
{
    private const int ShownProblems = 10;

    public TimeSpan Slowest => Sends.Max(sends => sends.Slowest);

    public long Failed => Sends.Sum(sends => sends.Failed);

    /// <summary>Whether nothing failed, nothing was lost, nothing came again that had been confirmed, and all of it in order.</summary>
    public bool IsClean =>
        Failed == 0
        && Sends.All(sends => sends.AcknowledgedCount > 0)
        && Groups.All(group => group is { Missing.Count: 0, RepeatedConfirmed: 0, Problems.Count: 0 });

    public void Print()
    {
        Console.WriteLine($"\n{Name}, {Timeline.Seconds:F0} s");
        foreach (SendRecord sends in Sends)
        {
            Console.WriteLine(
                $"  {sends.Topic,-20} {sends.AcknowledgedCount,7} acknowledged  {sends.Failed,5} failed  slowest {sends.Slowest.TotalMilliseconds,6:F0} ms");
            foreach (string reason in sends.Reasons)
            {
                Console.WriteLine($"      {reason}");
            }
        }

        foreach (GroupRecord group in Groups)
        {
            IReadOnlyList<string> missing = group.Missing;
            Console.WriteLine(
                $"  {group.Name,-20} {group.ReceivedCount,7} received      {missing.Count,5} lost    "
                + $"{group.Repeated,5} again, {group.RepeatedConfirmed,3} of them confirmed  longest gap {group.LongestGap.TotalMilliseconds,6:F0} ms");
            foreach (string problem in missing.Select(body => $"{body} was lost").Concat(group.Problems).Take(ShownProblems))
            {
                Console.WriteLine($"      {problem}");
            }
        }
    }
}
