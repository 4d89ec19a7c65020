namespace GrayMQ.Client;

/// <summary>What read-only lists lack.</summary>
internal static class ReadOnlyListExtensions
{
    /// <summary>Where the item stands first; −1 where it does not.</summary>
    public static int IndexOf(this IReadOnlyList<string> list, string item)
    {
        for (int i = 0; i < list.Count; i++)
        {
            if (list[i] == item)
            {
                return i;
            }
        }

        return -1;
    }
}
