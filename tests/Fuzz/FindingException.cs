namespace GrayMQ.Fuzz;

/// <summary>Something that must be true was not.</summary>
internal sealed class FindingException : Exception
{
    public FindingException(string message)
        : base(message)
    {
    }

    public FindingException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public FindingException()
    {
    }

    public static void Unless(bool condition, string message)
    {
        if (!condition)
        {
            throw new FindingException(message);
        }
    }
}
