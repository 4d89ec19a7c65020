namespace GrayMQ.Model;

/// <summary>The broker did what the model does not allow.</summary>
internal sealed class Violation(string message) : Exception(message)
{
    /// <summary>Throws unless the condition holds.</summary>
    public static void Unless(bool condition, string message)
    {
        if (!condition)
        {
            throw new Violation(message);
        }
    }
}
