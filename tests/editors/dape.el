;; emacs --batch -l dape.el FILE LINE: attaches as M-x dape RET does, and sets a breakpoint. Whenever it stops, it
;; prints where, and goes on. It ends after two stops.
(package-initialize)
(require 'dape)
(setq dape-buffer-window-arrangement nil dape-inlay-hints nil dape-key-prefix nil)

(defun wait (condition)
  (let ((end (+ (float-time) 60)))
    (while (and (not (funcall condition)) (< (float-time) end))
      (accept-process-output nil 0.1)
      (sit-for 0.01))
    (or (funcall condition) (error "Nothing happened within 60 s"))))

(find-file (pop command-line-args-left))
(goto-char (point-min))
(forward-line (1- (string-to-number (pop command-line-args-left))))
(dape-breakpoint-toggle)
(dape (dape--config-eval (car dape-command) (cdr dape-command)))
(wait (lambda () (dape--live-connection 'last t)))
(wait (lambda () (memq (dape--state (dape--live-connection 'last)) '(running stopped))))
(message "attached")

(defun stop ()
  (wait (lambda () (let ((connection (dape--live-connection 'stopped t))) (and connection (dape--current-stack-frame connection)))))
  (let* ((connection (dape--live-connection 'stopped)) (frame (dape--current-stack-frame connection)))
    (message "stopped %s %s %s" (plist-get frame :name) (plist-get frame :line) (dape--path-local connection (plist-get (plist-get frame :source) :path)))
    connection))

(dotimes (_ 2)
  (let ((connection (stop)))
    (dape-continue connection)
    (wait (lambda () (not (dape--live-connection 'stopped t))))))
(kill-emacs)
